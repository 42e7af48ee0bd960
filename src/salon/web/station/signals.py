"""What other rooms may want to know of the station."""

from django.dispatch import Signal

#: somebody opens an image's own page or file, which name its model; `image` is its id
looked_at = Signal()
#: somebody asks to be forgotten; `visitor` is their key. Sent inside the transaction that forgets
forgotten = Signal()
