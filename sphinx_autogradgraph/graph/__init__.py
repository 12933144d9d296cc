"""The Graph: plain data that says what autograd recorded."""
