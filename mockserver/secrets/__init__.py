"""Finding secrets and replacing them, so that none reaches a disk."""
