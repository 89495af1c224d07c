"""What a field of a form may name, found for whoever looks: one file a desk.

A finder takes the matter of the form and answers its options in the order in which they are
offered; it asks through the desk, so that nobody is offered what lies outside their jurisdiction.
"""
