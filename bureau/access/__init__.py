"""Who sees what: accounts, dated assignments to places, rights by duty, and the declaration of a URL's right."""
