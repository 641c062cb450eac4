"""What people read: tables, figures and memos, made from the summary alone.

May import `contract`, `case` (its constants), `system` and the top. It never sees a draw or a design.
"""
