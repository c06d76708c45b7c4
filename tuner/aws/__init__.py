"""The one door to boto3."""
