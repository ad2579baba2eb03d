"""The pictures of an event, the same in every tab."""
