"""What waits for the office: decisions of a second person, invoices, disputes and differences, in one list."""
