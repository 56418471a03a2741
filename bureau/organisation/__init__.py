"""The organisation of one county: places, schools, school years and days."""
