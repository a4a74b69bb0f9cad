"""Personal data: exports, erasures, anonymisation, retention."""
