"""The video endpoints, one module a resource. Every query starts from the caller's account."""
