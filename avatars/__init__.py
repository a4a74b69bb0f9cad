"""The catalogue: avatars and voices, mirrored from HeyGen, curated by staff."""
