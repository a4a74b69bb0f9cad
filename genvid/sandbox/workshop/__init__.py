"""Where videos, previews and speech are made: a low-priority process, spoken to in lines of JSON."""
