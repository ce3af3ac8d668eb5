"""Files of the exchange, and of people, into the raw lake: recognised by content, checked row by row, appended once."""
