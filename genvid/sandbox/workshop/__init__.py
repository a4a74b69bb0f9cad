"""Where videos, previews and speech are made: a low-priority process of its own, spoken to in lines of JSON."""
