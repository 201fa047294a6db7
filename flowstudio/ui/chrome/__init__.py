"""What frames every screen: commands, menus, rail, toolbar, status bar."""
