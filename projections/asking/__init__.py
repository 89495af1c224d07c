"""What may be asked of the views: within whose jurisdiction, page by page, by name; and questions
that ask more than one view, or are too long for their view's own file."""
