"""The substitute attack, and the network that it trains on the oracle's labels."""
