"""What a video shows and what is heard: one module for each kind of subject, one for each kind of sound.

`subjects` has the kinds, `casting` chooses both for an order. docs/adr/0032 lists what a further kind needs.
"""
