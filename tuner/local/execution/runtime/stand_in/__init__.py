"""What takes the place of compiled parts of AWS's runtime client under another interpreter."""
