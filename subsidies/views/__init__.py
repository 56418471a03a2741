"""Pages of aid: programmes, who is entitled, the desk of approvals, notices, money."""
