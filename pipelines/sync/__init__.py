"""Bringing release files here: listing a place, downloading with resume and retry, checking digests."""
