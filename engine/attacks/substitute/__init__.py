"""The substitute attack, and the network that it trains on the labels of the oracle."""
