"""genvid sells AI-avatar videos. This package is the base of the house and its composition root."""
