"""The render process: makes videos, previews and speech at low priority. Tasks and results are lines of JSON."""
