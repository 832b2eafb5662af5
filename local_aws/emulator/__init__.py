"""What runs in the server's process: MiniStack, moto, and what both lack for pipelines.

Nothing outside this folder imports it but ``local_aws/__main__.py``, which is that process. Of the rest of
``local_aws`` it knows ``protocol.py`` alone.
"""
