"""The loop: videos handed to model actors, one in flight for each, until all are settled or a limit ends it.

runner     the loop itself                    queue      which video is next
actors     start, lose and replace actors     crew       actors, nodes and videos
machines   nodes that come and go             gate       a look before a model is loaded
policy     what a failed try leads to         supervise  the loop in a thread, under watch
deaths     before they are laid to a video

Knows Ray handles and results; never the index, and never what people are told.
"""
