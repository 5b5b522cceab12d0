"""The docks' panels, one module or folder each. They share the session, and no panel knows another."""
