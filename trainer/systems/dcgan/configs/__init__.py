"""Published configurations of DCGAN."""
