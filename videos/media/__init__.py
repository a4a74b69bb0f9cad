"""Files of videos: downloads from HeyGen, inspection, signed links."""
