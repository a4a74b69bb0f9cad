"""Reads one uploaded file in a process of its own and writes a clean copy. Imports neither Django nor the project."""
