"""Backstage: curators and volunteers at work."""
