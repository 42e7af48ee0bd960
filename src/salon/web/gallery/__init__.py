"""The gallery: what visitors ask to hang, what curators let hang, and the pages on which it hangs."""
