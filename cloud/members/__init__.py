"""Who may park without paying each time, and who may not come in; other capabilities call ``service``."""
