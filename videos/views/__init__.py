"""The video endpoints, one module a resource. Routed by `videos.urls`."""
