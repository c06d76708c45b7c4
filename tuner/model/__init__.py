"""The values that flow from one room to the next: frozen, with units in their names."""
