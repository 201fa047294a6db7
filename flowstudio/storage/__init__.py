"""SQLAlchemy: implements every port named *Store or *Journal."""
