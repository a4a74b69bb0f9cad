"""How a script is written, and how long a voice needs for it. Pure text work: no database, no API."""
