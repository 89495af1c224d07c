"""Pages: what an officer sees. Templates, messages in two languages, and assets served locally."""
