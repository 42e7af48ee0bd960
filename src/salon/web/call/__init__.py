"""The call for artists: form, applications, states."""
