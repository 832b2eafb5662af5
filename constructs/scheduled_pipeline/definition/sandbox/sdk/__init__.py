"""What the SDK needs done to it, by the part of it that is patched."""
