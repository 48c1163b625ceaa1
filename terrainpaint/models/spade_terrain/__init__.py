"""The reference networks, after SPADE-Terrain-GAN: 1.0 (`spade`), 1.1 (`modulated`), 1.2 (`attention`); what they share
(`reference_network`) and their shadow generator (`lab_shadow`)."""
