"""Official SDKs in faulty situations: the verdict must not find a mistake that is none."""
