"""Accuracy on recordings composed by others, who had seen neither detector nor benchmark."""
