"""Measuring, beside designs that others would have chosen. Nothing here is used to serve anything."""
