IBM_GRANITE_4_MICRO_3B = "granite4:micro"
