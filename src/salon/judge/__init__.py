"""What can be measured of an image: composition, seen by a detector that learnt the world's ground truth."""
