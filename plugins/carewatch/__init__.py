"""carewatch: customer churn early warning and customer care."""

__version__ = "0.1.0"
