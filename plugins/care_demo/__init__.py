"""The demo firm: a seeded simulator with known causes of churn, and the three source systems it runs on.

Every company, person and number here is invented.
"""
