"""The Django project; one app a room of the exhibition."""

NAME = "Latent Salon"
