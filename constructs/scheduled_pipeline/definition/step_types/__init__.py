"""What is known of each type of step that a definition can have: one row a type.

A row says what the type's arguments and properties look like, what the execution role must be allowed for it,
where its containers log, and what of its arguments is the role's affair. A new type is one row in one of the
files here, entered in ``table``.

The layers, from below: the values beside this folder (``parsed``, ``permission``, ``resolve``), the notation
of shapes, ``Created`` and ``StepType``, the rows by family, and ``table``, which holds them all.
``validation`` and ``permissions`` read the table. Nothing here imports from those two, so there is no circle.

Two things about types stay where they are. Which arguments hold steps is the grammar that ``parsed`` reads a
definition by, and lies below the rows; a test holds it to their shapes. What the checks of ``validation``
say of one type alone, such as that nothing waits for a Fail step, is a rule and no property of each type.

Internal: users import from ``scheduled_pipeline`` alone.
"""
