"""The command ``scheduled-pipeline``.

``main`` puts the subcommands together; each is a module of ``commands``, in the folder of what it looks at,
and none imports another. ``account`` reads AWS, ``assembly`` reads the cloud assembly that ``cdk synth``
wrote, ``adoption`` writes triggers of an account as Python code. ``options``, ``errors``, ``printing`` and
``terminal`` are what all subcommands have in common.

Internal: users import from ``scheduled_pipeline`` alone.
"""
