"""Where do a definition and its code live?"""
