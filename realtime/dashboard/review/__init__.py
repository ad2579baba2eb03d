"""Tab 3: what people say of logged events."""
