"""A Lambda-compatible endpoint on loopback that runs real handlers under real limits."""
